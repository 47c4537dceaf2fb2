# One image for every function and every job. FUNCTION_TARGET and FUNCTION_SOURCE say which function
# a service is; a job runs `python -m common.cli job run NAME` instead of the default command.
# A Dockerfile and no buildpack: packages are taken by their hashes, the bytecode is in the image
# (a start without it takes four times as long), and nobody is root.
#
# Bytecode is believed without a look at when its source was written: whoever builds, copies or
# unpacks a layer may write another time, and then every start would compile all of it anew, as
# nobody may keep what it compiled. Python's own image comes without that of the standard library.
FROM python:3.11-slim-bookworm AS python
RUN python -m compileall -q -f --invalidation-mode unchecked-hash -x site-packages \
    /usr/local/lib/python3.11

FROM python AS packages
WORKDIR /app
COPY requirements.lock .
RUN python -m venv venv \
    && venv/bin/pip install --no-cache-dir --require-hashes --only-binary :all: --no-compile \
       --requirement requirements.lock \
    && venv/bin/python -m compileall -q -f --invalidation-mode unchecked-hash venv/lib

FROM python
WORKDIR /app
COPY --from=packages /app/venv venv
COPY migrations migrations
COPY common common
COPY functions functions
COPY jobs jobs
RUN venv/bin/python -m compileall -q -f --invalidation-mode unchecked-hash common functions jobs
ENV PATH=/app/venv/bin:$PATH PYTHONPATH=/app PYTHONUNBUFFERED=1
USER 65532:65532
CMD ["functions-framework"]
