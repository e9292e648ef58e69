ARG BASE
FROM ${BASE}
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends openjdk-17-jre-headless \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 1001 --gid 0 --no-create-home apicurio
COPY registry /deployments
USER 1001
EXPOSE 8080
CMD ["sh", "-c", "exec java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:MaxRAMPercentage=50 $JAVA_OPTIONS -jar /deployments/*-runner.jar"]
