"""Programs that tests run as processes of their own, to be killed and to be refused their files."""
