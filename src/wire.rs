//! Arrow batches to protobuf bytes and back, planned from descriptors.
