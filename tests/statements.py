"""Lets all databases of one test process share what SQLAlchemy has worked out about statements.

SQLAlchemy turns each kind of statement into SQL once for each engine. The product has one engine in
a process; the tests open one for each test, and would spend half of their time on this.
"""

from typing import Any

import pytest
import sqlalchemy
from sqlalchemy import Engine
from sqlalchemy.util import LRUCache

from tandem.db import session

_MOST_STATEMENTS = 5_000


class SharedStatements:
    """Gives new engines the dialect and the compiled statements of one that is connected."""

    def __init__(self) -> None:
        self._models = dict[str, Engine]()

    def share(self, engine: Engine) -> None:
        """Take this engine as the model of all later ones for the same kind of database."""
        with engine.connect():  # now its dialect knows the server's version
            pass
        engine._compiled_cache = LRUCache(_MOST_STATEMENTS)
        self._models[engine.dialect.name] = engine

    def install(self, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(session, "create_engine", self._create)

    def _create(self, url: str, **options: Any) -> Engine:
        model = self._models.get(sqlalchemy.make_url(url).get_backend_name())
        if model is None:
            return sqlalchemy.create_engine(url, **options)
        engine = sqlalchemy.create_engine(url, **options, _initialize=False)
        engine.dialect, engine._compiled_cache = model.dialect, model._compiled_cache
        return engine
