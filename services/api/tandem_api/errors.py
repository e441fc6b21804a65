"""Errors as HTTP answers: RFC 9457 `application/problem+json` with a stable `code`."""

import re
import traceback
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Literal, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from tandem import errors
from tandem.db.faults import meaning
from tandem.db.keyset import InvalidCursor
from tandem.log import logger, without_secrets
from tandem.screening.client_state import NewerDecision
from tandem_api.messages import message as describe
from tandem_api.problems import PROBLEM
from tandem_api.routes import pages
from tandem_api.schemas.decisions import DecisionOut
from tandem_api.schemas.words import FRAMEWORK_CODES, OTHER_CODE, ErrorCode

_log = logger(__name__)

STATUS: dict[type[errors.TandemError], int] = {
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.TooLarge: 413,
    errors.Invalid: 422,
    errors.TooMany: 429,
    errors.Unavailable: 503,
}

_CODES = FRAMEWORK_CODES | {status: kind.code for kind, status in STATUS.items()}


class InvalidQuery(errors.Invalid):
    """A value in the query is not acceptable."""


class InvalidHeader(errors.Invalid):
    """A header's value is not acceptable."""


Where = Literal["body", "query", "path", "header"]

_LOCATIONS: Mapping[type, Where] = {
    InvalidCursor: "query",
    InvalidQuery: "query",
    InvalidHeader: "header",
}


class FieldError(BaseModel):
    """One value that is not acceptable: where it stands, and what is wrong with it."""

    field: str = Field(examples=["verdict"])
    location: Where = Field(examples=["body"])
    message: str = Field(examples=["should be 'include', 'exclude' or 'maybe'"])


class Problem(BaseModel):
    """What went wrong, as RFC 9457 has it. Programs read `code`, people read `detail`."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "about:blank",
                "title": "Not Found",
                "status": 404,
                "code": "not_found",
                "detail": "There is no record 17 in this review.",
            }
        }
    )

    type: str = Field(default="about:blank")
    title: str
    status: int
    code: ErrorCode
    detail: str
    request_id: str | None = None
    errors: list[FieldError] | None = None
    record_id: str | None = Field(
        default=None, description="With `is_duplicate`: the record to decide in its place."
    )
    decision: DecisionOut | None = Field(
        default=None,
        description="With `newer_decision`: your decision as it stands; none if you withdrew it.",
    )


def problem(
    request: Request,
    status: int,
    code: str,
    detail: str,
    *,
    field_errors: Sequence[FieldError] | None = None,
    headers: Mapping[str, str] | None = None,
    record_id: str | None = None,
    decision: DecisionOut | None = None,
) -> JSONResponse:
    body = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        code=code,
        detail=detail,
        request_id=getattr(request.state, "request_id", None),
        errors=list(field_errors) if field_errors is not None else None,
        record_id=record_id,
        decision=decision,
    )
    return JSONResponse(_without_nulls(body), status, dict(headers or {}), media_type=PROBLEM)


def _without_nulls(body: Problem) -> dict[str, Any]:
    """Return a problem without what it does not have; a decision in it is whole all the same."""
    answer = body.model_dump(exclude_none=True, exclude={"decision"}, mode="json")
    if body.decision is not None:
        answer["decision"] = body.decision.model_dump(mode="json")
    return answer


def status_of(error: errors.TandemError) -> int:
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def expected(request: Request, error: errors.TandemError) -> JSONResponse:
    status = status_of(error)
    named = None
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        _log.warning("not available", code=error.code, raised_in=_raised_in(error))
    if isinstance(error, errors.Invalid):
        location: Where = _LOCATIONS.get(type(error), "body")
        named = [FieldError(field=error.field, location=location, message=str(error))]
    headers = {"WWW-Authenticate": "Bearer"} if status == HTTPStatus.UNAUTHORIZED else {}
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    return problem(
        request,
        status,
        error.code,
        str(error),
        field_errors=named,
        headers=headers,
        record_id=getattr(error, "record_id", None),
        decision=DecisionOut.newer(error) if isinstance(error, NewerDecision) else None,
    )


def field_errors(
    found: Sequence[Mapping[str, Any]], *, location: Where | None = None
) -> list[FieldError]:
    """Translate what the validation found; without `location` its first part is the place."""
    named = []
    for item in found:
        path = [str(part) for part in item["loc"]]
        where = location or cast(Where, path.pop(0) if path else "body")
        message = describe(item)
        if item["type"] == "json_invalid":  # its path is a position in the text, not a field
            path, message = [], f"This is not JSON: {item['ctx']['error']} (at {path[0]})"
        named.append(FieldError(field=".".join(path) or where, location=where, message=message))
    return named


def _malformed(request: Request, error: RequestValidationError) -> JSONResponse:
    named = field_errors(error.errors())
    if isinstance(error.body, bytes):
        message = "Send JSON, with `Content-Type: application/json`."
        named = [FieldError(field="body", location="body", message=message)]
    detail = "; ".join(f"{item.field}: {item.message}" for item in named)
    return problem(request, 422, errors.Invalid.code, detail, field_errors=named)


def _http(request: Request, error: HTTPException) -> Response:
    status, detail, headers = error.status_code, str(error.detail), error.headers
    path = request.scope["path"]
    if found := meaning(error.__cause__):  # a form that could not be written to the disk
        return expected(request, found)
    if status == HTTPStatus.BAD_REQUEST:  # the framework's word for a body it cannot take apart
        named = [FieldError(field="body", location="body", message=detail)]
        return problem(request, 422, errors.Invalid.code, f"body: {detail}", field_errors=named)
    if status == HTTPStatus.NOT_FOUND:
        if pages.wants_page(request):
            return pages.not_found(request)
        detail = f"There is nothing at {path}. What there is, {request.app.openapi_url} describes."
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        # The document itself is not in the document.
        allowed = _methods(request.app, path) or (headers or {}).get("Allow", "GET")
        detail = f"{request.method} is not possible here, but {allowed} is."
        headers = {"Allow": allowed}
    return problem(request, status, _CODES.get(status, OTHER_CODE), detail, headers=headers)


def _methods(app: FastAPI, path: str) -> str:
    """Return every method of a path; the framework names those of the first route only."""
    found: set[str] = set()
    for template, methods in app.openapi()["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
            found.update(method.upper() for method in methods)
    return ", ".join(sorted(found))


def _storage(request: Request, error: Exception) -> JSONResponse:
    found = meaning(error)
    if found is None:
        return unexpected(request, error)
    _log.error("storage not available", code=found.code, error=str(error))
    return expected(request, found)


def unexpected(request: Request, error: Exception) -> JSONResponse:
    """Answer what nobody foresaw; the log gets the details, the client does not."""
    # As plain text: structlog's own tracebacks show local variables, tokens and passwords too.
    path = without_secrets(request.scope["path"])
    _log.error("unexpected error", path=path, exception=_plain(error))
    detail = "This should not have happened. The server's log says more under this request_id."
    return problem(request, 500, errors.TandemError.code, detail)


def _raised_in(error: Exception) -> str | None:
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].name}, line {frames[-1].lineno}" if frames else None


def _plain(error: Exception) -> str:
    return "".join(traceback.format_exception(error)).rstrip()


def install(app: FastAPI) -> None:
    app.add_exception_handler(errors.TandemError, expected)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, _malformed)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, _http)  # type: ignore[arg-type]
    app.add_exception_handler(DBAPIError, _storage)
    app.add_exception_handler(PoolTimeout, _storage)
    app.add_exception_handler(OSError, _storage)
