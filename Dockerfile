# The core of ckptmap: no TensorFlow, no root. Build it in the repository's folder:
#   docker build -t ckptmap .
# Mount the checkpoints, and be the owner of what is written:
#   docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/data" ckptmap convert old/ -o new/
FROM python:3.12-slim AS build
COPY . /source
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --no-compile "/source[remote,keras]"

FROM python:3.12-slim
COPY --from=build /venv /venv
RUN useradd --uid 1000 --create-home ckptmap
USER 1000
WORKDIR /data
ENTRYPOINT ["/venv/bin/ckptmap"]
CMD ["--help"]
