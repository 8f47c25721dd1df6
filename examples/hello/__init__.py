"""The hello-world flow: plain functions, no event loop."""
