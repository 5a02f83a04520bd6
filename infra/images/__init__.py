"""The images of the deployables, built and run by podman."""
