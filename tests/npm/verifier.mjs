// A verifier by another hand (@openid4vc/openid4vp). It reads one line of JSON, what to ask and how; it serves the signed
// request and takes the answer over HTTP, and prints {"link": …}, then what it made of the answer.
import { createHash, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import { setGlobalConfig } from '@openid4vc/oauth2'
import { Openid4vpVerifier } from '@openid4vc/openid4vp'
import { calculateJwkThumbprint, compactDecrypt, decodeProtectedHeader, exportJWK, generateKeyPair, importJWK, SignJWT } from 'jose'

setGlobalConfig({ allowInsecureUrls: true }) // http on this machine only

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const write = (value) => new Promise((done) => process.stdout.write(JSON.stringify(value) + '\n', done))
const job = JSON.parse((await lines.next()).value)

const key = await importJWK(job.key, 'ES256')
const { d, ...open } = job.key
const pair = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true })
const jwk = { ...await exportJWK(pair.publicKey), use: 'enc', alg: 'ECDH-ES' }
jwk.kid = await calculateJwkThumbprint(jwk)

const callbacks = {
  hash: (data, alg) => createHash(alg.replace('-', '')).update(data).digest(),
  generateRandom: (length) => randomBytes(length),
  fetch: () => { throw new Error('nothing is fetched here') },
  signJwt: async (_, { header, payload }) =>
    ({ jwt: await new SignJWT(payload).setProtectedHeader(header).sign(key), signerJwk: open }),
  verifyJwt: async () => ({ verified: false }),
  decryptJwe: async (jwe) => {
    const { plaintext } = await compactDecrypt(jwe, pair.privateKey)
    return { decrypted: true, decryptionJwk: jwk, payload: new TextDecoder().decode(plaintext) }
  },
}
const verifier = new Openid4vpVerifier({ callbacks })
const did = 'did:jwk:' + Buffer.from(JSON.stringify(open)).toString('base64url')
const signer = job.x5c ? { method: 'x5c', x5c: job.x5c, alg: 'ES256' } : { method: 'did', didUrl: did + '#0', alg: 'ES256' }
const clientId = job.x5c ? job.client : 'decentralized_identifier:' + did

let base
const nonce = randomBytes(24).toString('base64url')
const create = (walletNonce) => verifier.createOpenId4vpAuthorizationRequest({
  ...(walletNonce ? { wallet: { expectedNonce: walletNonce } } : {}),
  authorizationRequestPayload: {
    response_type: 'vp_token', client_id: clientId, response_uri: base + '/response', response_mode: job.mode, nonce,
    dcql_query: job.dcql, state: 'its-own-state', ...(walletNonce ? { wallet_nonce: walletNonce } : {}),
    client_metadata: {
      vp_formats_supported: job.formats ?? { ldp_vc: { proof_type_values: ['DataIntegrityProof'] } },
      ...(job.mode === 'direct_post.jwt'
        ? { jwks: { keys: [jwk] }, encrypted_response_enc_values_supported: ['A256GCM'] } : {}),
    },
  },
  jar: {
    jwtSigner: signer, expiresInSeconds: 300, additionalJwtPayload: { aud: 'https://self-issued.me/v2' },
    ...(job.byValue ? {} : { requestUri: base + '/request' }),
  },
})

const body = async (request) => {
  const parts = []
  for await (const part of request) parts.push(part)
  return new URLSearchParams(Buffer.concat(parts).toString())
}

let payload
const server = createServer(async (request, response) => {
  try {
    if (request.url === '/request') {
      const made = await create((await body(request)).get('wallet_nonce'))
      payload = made.authorizationRequestPayload
      response.writeHead(200, { 'Content-Type': 'application/oauth-authz-req+jwt' }).end(made.jar.authorizationRequestJwt)
      return
    }
    const form = Object.fromEntries(await body(request))
    const authorizationResponse = form.vp_token ? { ...form, vp_token: JSON.parse(form.vp_token) } : form
    if (form.error) {
      await write({ refusal: form })
    } else {
      const parsed = await verifier.parseOpenid4vpAuthorizationResponse({
        authorizationRequestPayload: payload, authorizationResponse, callbacks,
      })
      await write({
        type: parsed.type, presentations: parsed.dcql.presentations, nonce: parsed.expectedNonce,
        state: parsed.authorizationResponsePayload.state,
        header: form.response ? decodeProtectedHeader(form.response) : null,
      })
    }
    response.writeHead(200, { 'Content-Type': 'application/json' })
      .end(JSON.stringify({ redirect_uri: 'https://lender.example/done#response_code=' + nonce }))
  } catch (error) {
    await write({ error: String(error.message ?? error), stack: String(error.stack).split('\n').slice(0, 4) })
    response.writeHead(400, { 'Content-Type': 'application/json' }).end(JSON.stringify({ error: 'invalid_request' }))
  }
})
server.listen(0, '127.0.0.1', async () => {
  base = `http://localhost:${server.address().port}`
  const made = await create()
  payload = made.authorizationRequestPayload
  const link = new URL(made.authorizationRequest)
  if (job.post) link.searchParams.set('request_uri_method', 'post')
  await write({ link: link.toString(), clientId, nonce })
})
await lines.next() // until its input ends
process.exit(0)
