"""What an endpoint asks of its reader."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

from starlette.exceptions import HTTPException
from starlette.requests import Request

from dashboards.web.access.answers import Refusal, is_api, problem
from dashboards.web.access.reader import Reader, Role

P = ParamSpec("P")
R = TypeVar("R")


class Forbidden(HTTPException):
    """403 for a reader whose role does not reach; the application's page of errors shows `detail`."""


def require(request: Request, role: Role) -> None:
    """Raise Forbidden unless the reader may do what `role` may. What only analysts see is never stored by browsers."""
    reader: Reader = request.state.reader
    if not reader.may(role):
        raise Forbidden(403, f"this is for the role {role}; yours is {reader.role}")
    if role == "analyst":
        request.state.no_store = True


def needs(role: Role) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorates an endpoint, a coroutine or not, that only readers with this role may call.

    Others get a problem from the API, and Forbidden, which becomes a page, elsewhere.
    """

    def decorate(endpoint: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(endpoint)
        async def waiting(*args: Any, **kwargs: Any) -> Any:
            refused = _refused(args, kwargs, role)
            return await cast(Any, endpoint)(*args, **kwargs) if refused is None else refused

        @functools.wraps(endpoint)
        def direct(*args: Any, **kwargs: Any) -> Any:
            refused = _refused(args, kwargs, role)
            return endpoint(*args, **kwargs) if refused is None else refused

        return cast(Callable[P, R], waiting if inspect.iscoroutinefunction(endpoint) else direct)

    return decorate


def _refused(args: tuple[Any, ...], kwargs: dict[str, Any], role: Role) -> Any:
    """The API's problem, or None where the call may go on. Raises Forbidden for a page."""
    request = next(one for one in (*args, *kwargs.values()) if isinstance(one, Request))
    try:
        require(request, role)
    except Forbidden as error:
        if is_api(request):
            return problem(Refusal(403, error.detail))
        raise
    return None
