"""What git knows of a project: files and trees as they were at a commit. Nothing of the repository is changed."""
