set -eu
mkdir -p "$PGDATA" /var/run/postgresql
chown postgres "$PGDATA" /var/run/postgresql
bin=$(echo /usr/lib/postgresql/*/bin)
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  printf %s "$POSTGRES_PASSWORD" >/tmp/password
  chown postgres /tmp/password
  su postgres -c "$bin/initdb -D $PGDATA -U postgres --auth-local=trust --auth-host=scram-sha-256 --pwfile=/tmp/password"
  rm /tmp/password
  echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
fi
exec su postgres -c "exec $bin/postgres -D $PGDATA -c listen_addresses='*' -c fsync=off"
