"""A write of a route: one transaction, done once for each Idempotency-Key."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Header, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from sqlalchemy.orm import Session

from tandem.accounts import idempotency
from tandem.errors import Forbidden, NotFound, TandemError
from tandem.ids import ReviewId, UserId, parse_uuid
from tandem.reviews import service as reviews
from tandem_api.deps import Me
from tandem_api.runtime import Runtime, runtime
from tandem_api.schemas.base import PlainText

_FORMS = ("multipart/", "application/x-www-form-urlencoded")

_PASSWORDS = frozenset({"password", "current", "new"})


async def body_digest(request: Request) -> str:
    if request.headers.get("content-type", "").lower().startswith(_FORMS):
        return ""  # The form's stream is consumed; the route names the file's own digest.
    return hashlib.sha256(_without_passwords(await request.body())).hexdigest()


def _without_passwords(body: bytes) -> bytes:
    """Leave passwords out of what is hashed and stored: by a fast hash they could be guessed."""
    if b'"' not in body or not any(name.encode() in body for name in _PASSWORDS):
        return body
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return body  # refused in a moment
    if not isinstance(said, dict) or _PASSWORDS.isdisjoint(said):
        return body
    kept = {name: value for name, value in said.items() if name not in _PASSWORDS}
    return json.dumps(kept, sort_keys=True).encode()


@dataclass(frozen=True, slots=True)
class Writer:
    """Does a write once: in one transaction, remembered under the caller's Idempotency-Key.

    `write(work)` runs `work(session)`, commits, and answers with the model it returned (None:
    no body). TaskSignals go out after the commit. What `work` raises rolls everything back, the
    key included. A repeated key is answered as the first time only to somebody who may still do
    it: for that, `work` runs again and is rolled back, so it changes nothing but by its session.
    """

    request: Request
    here: Runtime
    user_id: UserId
    key: str | None
    body_digest: str

    def __call__(
        self,
        work: Callable[[Session], BaseModel | None],
        *,
        status: int = 200,
        changed: ReviewId | None = None,
        content_digest: str = "",
        replayable: bool = True,
        is_short: bool = False,
    ) -> Response:
        """Run `work` and answer.

        Args:
            work: The use case; gets the session of the transaction.
            status: Of the answer.
            changed: The review whose events and ranking this may have touched.
            content_digest: Of an uploaded file, which the body's digest does not cover.
            replayable: False where the answer holds a secret, which is never stored.
            is_short: It takes milliseconds, so that others' may share its commit.
        """
        writing = self.here.database.write
        with writing.together() if is_short else writing.begin() as session:
            if self.key is not None and (first := self._claim(session, content_digest)):
                self._require_right(session, work)
                headers = {"Idempotency-Replayed": "true"}
                return _answer(first[1], first[0], headers)
            made = work(session)
            body = None if made is None else made.model_dump(mode="json")
            if self.key is not None and replayable:
                idempotency.remember(
                    session, user_id=self.user_id, key=self.key, status=status, body=body
                )
        if changed is not None:
            self.here.task_signals.changed(changed)
        return _answer(body, status)

    def _require_right(self, session: Session, work: Callable[[Session], BaseModel | None]) -> None:
        """Refuse those who have lost the right since the first time.

        Only `work` knows what right that is. What else it finds wrong comes of its having been
        done already: what was removed is not found.
        """
        self._require_member(session)
        undone = session.begin_nested()
        try:
            work(session)
        except TandemError as error:
            gone = isinstance(error, NotFound) and self.request.method != "DELETE"
            if gone or isinstance(error, Forbidden):
                raise
        finally:
            undone.rollback()

    def _require_member(self, session: Session) -> None:
        if (named := self.request.path_params.get("review_id")) is not None:
            review_id = ReviewId(parse_uuid(named, kind="review"))
            reviews.viewer(session, review_id=review_id, user_id=self.user_id)

    def _claim(
        self, session: Session, content_digest: str
    ) -> tuple[int, dict[str, Any] | None] | None:
        request = self.request
        query = request.scope["query_string"].decode("latin-1")
        said = [request.method, request.scope["path"], query, self.body_digest]
        fingerprint = hashlib.sha256("\n".join([*said, content_digest]).encode()).hexdigest()
        assert self.key is not None  # noqa: S101  # the caller looked
        try:
            return idempotency.claim(
                session, user_id=self.user_id, key=self.key, fingerprint=fingerprint
            )
        except idempotency.KeyReused:
            self._require_member(session)
            raise


def _answer(
    body: dict[str, Any] | None, status: int, headers: dict[str, str] | None = None
) -> Response:
    if body is None:
        return Response(status_code=status, headers=headers)
    return JSONResponse(body, status, headers)


async def writer(
    request: Request,
    me: Me,
    idempotency_key: Annotated[
        PlainText | None,
        Header(
            alias="Idempotency-Key",
            description="Any string of your choice. A write sent again with the same key is "
            "answered as the first time and not done again.",
            min_length=1,
            max_length=200,
        ),
    ] = None,
) -> Writer:
    digest = "" if idempotency_key is None else await body_digest(request)
    return Writer(request, runtime(request), me.id, idempotency_key, digest)


Write = Annotated[Writer, Depends(writer)]
