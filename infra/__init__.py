"""Where the platform runs: the locked environment, the topology of its services, images and manifests."""
