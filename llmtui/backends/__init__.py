"""One file a protocol: how to talk to a model server."""
