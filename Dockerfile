# Two images: the core of ckptmap, and with `--target tf` TensorFlow and the Object Detection API beside it. Both run as a
# user that is not root. Build them in the repository's folder:
#   docker build -t ckptmap .
#   docker build -t ckptmap:tf --target tf .
# Mount the checkpoints, and be the owner of what is written:
#   docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/data" ckptmap convert old/ -o new/
FROM python:3.12-slim AS build
COPY . /source
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --no-compile "/source[remote,keras]" gcsfs s3fs

# a few of the packages come as sources
FROM build AS build-tf
RUN apt-get update && apt-get install --no-install-recommends --yes gcc g++ && rm -rf /var/lib/apt/lists/*
RUN /venv/bin/pip install --no-cache-dir --no-compile "/source[tf,remote,keras]"

FROM python:3.12-slim AS tf
# OpenCV, which the Object Detection API imports, draws with these
RUN apt-get update && apt-get install --no-install-recommends --yes libgl1 libglib2.0-0 && rm -rf /var/lib/apt/lists/*
COPY --from=build-tf /venv /venv
RUN useradd --uid 1000 --create-home ckptmap
USER 1000
WORKDIR /data
ENTRYPOINT ["/venv/bin/ckptmap"]
CMD ["--help"]

FROM python:3.12-slim AS core
COPY --from=build /venv /venv
RUN useradd --uid 1000 --create-home ckptmap
USER 1000
WORKDIR /data
ENTRYPOINT ["/venv/bin/ckptmap"]
CMD ["--help"]
