//! gRPC faces: each takes a request apart, makes one call and answers.
