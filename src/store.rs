//! Tables of a Batch Server: runs come in, versions come out.
