# The gateway as an image: built in one stage, and run in another that holds the binary and the roots of trust only.
#   docker build -t mezhved .  &&  docker run -p 127.0.0.1:8080:8080 -v mezhved:/data mezhved
FROM docker.io/library/rust:1.95-slim-bookworm AS build
WORKDIR /build

# The dependencies alone, over an empty crate: this layer lasts until Cargo.lock changes. Benches have no files yet here.
COPY Cargo.toml Cargo.lock ./
RUN sed -i '/^\[\[bench\]\]/,/^$/d' Cargo.toml \
 && mkdir src && touch src/lib.rs && echo 'fn main() {}' > src/main.rs \
 && cargo build --release --locked

# A copied file keeps its old date, and cargo would take the empty crate for newer.
COPY . .
RUN touch src/lib.rs src/main.rs && cargo build --release --locked && mkdir /data

FROM docker.io/library/debian:bookworm-slim
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build --chown=10001:10001 /data /data
COPY --from=build /build/target/release/mezhved /usr/local/bin/mezhved
ENV MEZHVED__HTTP__LISTEN=0.0.0.0:8080 MEZHVED__STORE__PATH=/data/mezhved.db
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
# The program asks itself: no shell and no curl is needed in the image.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 CMD ["/usr/local/bin/mezhved", "health"]
ENTRYPOINT ["/usr/local/bin/mezhved"]
CMD ["serve"]
