"""What may be wrong with a coded project."""

from tandem.errors import TooLarge


class ProjectTooLarge(TooLarge):
    """The project is larger than is accepted, or unpacks to more."""

    code = "project_too_large"

    def __init__(self, why: str) -> None:
        super().__init__(
            f"The project is too large: {why}. Leave out recordings, pictures and what is not of "
            "this review, and export it again."
        )
