"""The location's queue and store on NATS JetStream: the only room that knows the library."""
