"""The fault matrix: what may break is broken on purpose, and what is stored afterwards is read with pyarrow."""
