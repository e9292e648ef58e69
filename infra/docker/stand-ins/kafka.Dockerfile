ARG BASE
FROM ${BASE}
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends openjdk-17-jre-headless \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 1000 --user-group appuser \
 && install -d -o appuser -g appuser /etc/kafka/docker /opt/kafka/config /var/lib/kafka/data /mnt/shared/config \
 # Kafka's own program reads these, and makes the configuration from them and from the environment.
 && touch /etc/kafka/docker/server.properties \
 && for name in log4j2 tools-log4j2; do echo 'Configuration: {}' >/etc/kafka/docker/$name.yaml; done
COPY libs /opt/kafka/libs
COPY kafka-log4j2.properties /opt/kafka/log4j2.properties
COPY kafka-run.sh /etc/kafka/docker/run
USER appuser
VOLUME ["/var/lib/kafka/data", "/mnt/shared/config"]
EXPOSE 9092
CMD ["/etc/kafka/docker/run"]
