# docker build -t seesaw . && docker run --read-only -v seesaw:/work -e HAVES=s3://… -e QDRANT_URL=http://… seesaw
FROM node:24-slim
WORKDIR /app
COPY . .
RUN npx --yes pnpm@12 install --frozen-lockfile --prod --filter '@seesaw/examples...' && mkdir /work && chown node /work
USER node
ENV WORK_DIR=/work/tmp OUTPUT_DIR=/work/model CHECKPOINT_DIR=/work/checkpoint
VOLUME /work
# Node itself is process 1: SIGTERM reaches it, and its exit code is the container's.
ENTRYPOINT ["node", "examples/train.ts"]
