"""What `tandem bench` measures: real media servers under a real load, ours and a peer's by the same yardstick."""
