"""Broken input by the thousand: each part makes inputs from a seed and hands them to what reads them."""
