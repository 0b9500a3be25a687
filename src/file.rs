//! Files: data sets of Parquet, Arrow IPC, id index and manifest, written so that a crash leaves nothing half-done.
