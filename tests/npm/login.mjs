// A platform's login by another hand (oidc-provider). It reads one line of JSON, {"client", "secret", "redirect"}, listens
// on a free port of this machine, and prints {"issuer": URL}. Its own page takes any name and says yes.
import { createInterface } from 'node:readline'
import { createServer } from 'node:http'
import Provider from 'oidc-provider'

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const job = JSON.parse((await lines.next()).value)
const say = (value) => process.stdout.write(JSON.stringify(value) + '\n')

const server = createServer()
await new Promise((done) => server.listen(0, '127.0.0.1', done))
const issuer = `http://127.0.0.1:${server.address().port}`

const provider = new Provider(issuer, {
  clients: [{
    client_id: job.client,
    redirect_uris: [job.redirect],
    ...(job.secret
      ? { client_secret: job.secret, token_endpoint_auth_method: job.method ?? 'client_secret_basic' }
      : { token_endpoint_auth_method: 'none' }),
  }],
  pkce: { required: () => true },
  cookies: { keys: ['of a test'] },
  claims: { openid: ['sub', 'worker_number'] },
  conformIdTokenClaims: false,
  features: { devInteractions: { enabled: true } },
  findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, worker_number: id }) }),
})
server.on('request', provider.callback())
say({ issuer })
