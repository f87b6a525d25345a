"""What `make bench` runs: this project's function, and others that it is compared with."""
