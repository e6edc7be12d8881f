"""Sends a model server's predictions and labels to Watchkeeper, without ever getting in the server's way."""

from watchkeeper_client.client import Client

__all__ = ["Client"]
