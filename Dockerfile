# The command in an image with nothing else: no shell, no package manager, not root.
#   scripts/package command x86_64-unknown-linux-musl aarch64-unknown-linux-musl
#   docker buildx build --platform linux/amd64,linux/arm64 --build-arg VERSION=0.1.0 --tag herald .
FROM scratch AS archive
ARG VERSION
ADD target/release-files/herald-${VERSION}-x86_64-unknown-linux-musl.tar.gz /amd64/
ADD target/release-files/herald-${VERSION}-aarch64-unknown-linux-musl.tar.gz /arm64/

FROM gcr.io/distroless/static-debian12:nonroot
ARG TARGETARCH
COPY --from=archive /${TARGETARCH}/*/herald /usr/bin/herald
COPY --from=archive /${TARGETARCH}/*/LICENSE /${TARGETARCH}/*/*.txt /usr/share/doc/herald/
WORKDIR /work
ENTRYPOINT ["/usr/bin/herald"]
