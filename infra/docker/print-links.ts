// The last container of docker-compose.yml says where everything is, as npm start does.
const { API_PORT, POSTGRES_PORT, KAFKA_PORT, SCHEMA_REGISTRY_PORT } = process.env;
const api = `http://127.0.0.1:${API_PORT}`;

console.log(`
  Postgres         postgresql://drawdown_app@127.0.0.1:${POSTGRES_PORT}/drawdown
  Kafka            127.0.0.1:${KAFKA_PORT}
  Schema registry  http://127.0.0.1:${SCHEMA_REGISTRY_PORT}/apis/ccompat/v7

  API              ${api}/docs
  Operators        ${api}/dashboard/#operators
  Admin key        docker compose run --rm drawdown key create first --scope admin

  In another terminal:

    docker compose run --rm drawdown account create acme --time-zone Europe/Berlin
    docker compose run --rm drawdown dashboard-link acme --api ${api}
`);
