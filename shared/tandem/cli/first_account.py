"""`tandem first-account`: what `tandem up` runs when it is ready, unless it loads the demo."""

import typer

from tandem.cli.options import DataDir, installation


def first_account(data_dir: DataDir = None) -> None:
    """Print a link by which the first account is made; nothing where there is one already."""
    settings = installation(data_dir=data_dir)
    from tandem.accounts import setup
    from tandem.db.session import Database
    from tandem.installation.up import page_url

    database = Database(settings.resolved_database_url())
    try:
        with database.write.begin() as session:
            token = setup.offer(session)
    finally:
        database.close()
    # Printed after the commit: a link that is shown is a link that works.
    if token is not None:
        typer.echo(
            "  There is no account yet. Make the first one, an administrator's, at\n"
            f"    {page_url(settings).rstrip('/')}/setup/{token}\n"
            "  This link is good once. The next start prints another one.\n"
        )
