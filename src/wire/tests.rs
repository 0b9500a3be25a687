//! Round trips, limits and damaged messages.
