"""The stores that need nothing but the standard library, one in each module."""
