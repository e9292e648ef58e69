ARG BASE
FROM ${BASE}
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends openjdk-17-jre-headless \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 1000 --user-group appuser \
 && install -d -o appuser -g appuser /etc/kafka/docker /opt/kafka/config /var/lib/kafka/data /mnt/shared/config \
 && touch /etc/kafka/docker/server.properties
COPY libs /opt/kafka/libs
# Kafka's own program makes the configuration from these and from the environment.
COPY kafka-log4j2.yaml /etc/kafka/docker/log4j2.yaml
COPY kafka-log4j2.yaml /etc/kafka/docker/tools-log4j2.yaml
COPY kafka-log4j2.properties /opt/kafka/log4j2.properties
COPY kafka-run.sh /etc/kafka/docker/run
USER appuser
VOLUME ["/var/lib/kafka/data", "/mnt/shared/config"]
EXPOSE 9092
CMD ["/etc/kafka/docker/run"]
