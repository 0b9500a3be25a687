"""Attacks on brine's servers, made on purpose. See __main__.py."""
