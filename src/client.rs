//! Clients of gRPC servers: pushing a data set.
