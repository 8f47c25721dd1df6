"""A sign-up that takes days in real life: a delay, and a person who has to follow a link."""
