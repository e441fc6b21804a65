"""`python -m tandem_api`: one API process, or several that listen on one port."""

from tandem.loading import loading

if __name__ == "__main__":
    with loading():
        from tandem_api.server import main

    main()
