# scratch has no shell to make a folder with; WORKDIR makes an empty one, and COPY gives it to the user.
FROM scratch AS folders
WORKDIR /data

FROM scratch

ARG ARCH="amd64"
ARG OS="linux"
ARG VERSION="unknown"
ARG REVISION="unknown"

LABEL org.opencontainers.image.title="wolkvox_exporter" \
      org.opencontainers.image.description="Prometheus exporter for the chat reports of a wolkvox operation" \
      org.opencontainers.image.source="https://github.com/wolkvox-exporter/wolkvox_exporter" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

COPY LICENSE NOTICE /
# CA roots and time zones are inside the binary.
COPY .build/${OS}-${ARCH}/wolkvox_exporter /bin/wolkvox_exporter
COPY --from=folders --chown=65532:65532 /data /data

# A number, as Kubernetes' runAsNonRoot cannot look a name up.
USER 65532:65532
# Also where the flag's default, the relative "data", leads to when other arguments replace CMD.
WORKDIR /
VOLUME /data
EXPOSE 10042
ENTRYPOINT ["/bin/wolkvox_exporter"]
CMD ["--storage.path=/data"]
