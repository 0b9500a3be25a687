//! Bounds-checked reading of borrowed bytes with absolute offsets.
