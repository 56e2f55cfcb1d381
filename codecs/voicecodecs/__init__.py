"""The codec library."""
