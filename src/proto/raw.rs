//! The tonic codec for messages that are already encoded: bytes go to the wire as they are.
