"""What every table shares: the one MetaData, and the type of numbered rows."""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer, MetaData

metadata = MetaData()

# SQLite gives out row ids only for a column of exactly this type.
RowId = BigInteger().with_variant(Integer, "sqlite")
