// A wallet by another hand (@openid4vc/openid4vci). It reads one line of JSON, what to do, and prints one line of JSON,
// what it got. With the authorization code grant it prints {"authorize": URL} first and reads the URL it is sent back to.
import { createHash, randomBytes } from 'node:crypto'
import { createInterface } from 'node:readline'
import { clientAuthenticationAnonymous, clientAuthenticationNone, Oauth2Client, setGlobalConfig } from '@openid4vc/oauth2'
import { Openid4vciClient, setGlobalConfig as setVciConfig } from '@openid4vc/openid4vci'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, SignJWT } from 'jose'

setGlobalConfig({ allowInsecureUrls: true }) // http on this machine only
setVciConfig({ allowInsecureUrls: true })

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const read = async () => JSON.parse((await lines.next()).value)
const write = (value) => new Promise((done) => process.stdout.write(JSON.stringify(value) + '\n', done))

const keys = new Map()
const newKey = async (alg) => {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  const jwk = await exportJWK(publicKey)
  keys.set(await calculateJwkThumbprint(jwk), privateKey)
  return jwk
}
const didJwk = (jwk) => 'did:jwk:' + Buffer.from(JSON.stringify(jwk)).toString('base64url')
const jwkOfDid = (did) => JSON.parse(Buffer.from(did.split('#')[0].split(':')[2], 'base64url').toString())

const callbacks = (client) => ({
  hash: (data, alg) => createHash(alg.replace('-', '')).update(data).digest(),
  generateRandom: (length) => randomBytes(length),
  signJwt: async (signer, { header, payload }) => {
    const jwk = signer.method === 'did' ? jwkOfDid(signer.didUrl) : signer.publicJwk
    const { alg: _alg, use: _use, kid: _kid, ...plain } = jwk
    const key = keys.get(await calculateJwkThumbprint(plain))
    return { jwt: await new SignJWT(payload).setProtectedHeader(header).sign(key), signerJwk: jwk }
  },
  verifyJwt: async () => ({ verified: false }),
  clientAuthentication: client ? clientAuthenticationNone({ clientId: client }) : clientAuthenticationAnonymous(),
  fetch: (url, init) => fetch(url, init),
})

async function grantByCode(client, job, offer, metadata, dpop) {
  const begun = await client.initiateAuthorization({
    clientId: job.client, redirectUri: job.redirect, credentialOffer: offer, issuerMetadata: metadata,
    scope: job.configurations.join(' '),
    ...(dpop ? { dpop } : {}),
  })
  await write({ authorize: begun.authorizationRequestUrl })
  const { redirected } = await read()
  const answer = client.parseAndVerifyAuthorizationResponseRedirectUrl({
    url: redirected, authorizationServerMetadata: metadata.authorizationServers[0],
  })
  if (answer.error) throw Object.assign(new Error(answer.error), { answer })
  return client.retrieveAuthorizationCodeAccessTokenFromOffer({
    issuerMetadata: metadata, credentialOffer: offer, authorizationCode: answer.code,
    pkceCodeVerifier: begun.pkce?.codeVerifier, redirectUri: job.redirect, ...(dpop ? { dpop } : {}),
  })
}

async function copies(client, job, metadata, configuration, token, dpop) {
  const { c_nonce: nonce } = await client.requestNonce({ issuerMetadata: metadata })
  const jwts = []
  for (let index = 0; index < job.copies; index++) {
    const jwk = await newKey(job.alg)
    const signer = job.binding === 'jwk'
      ? { method: 'jwk', publicJwk: jwk, alg: job.alg }
      : { method: 'did', didUrl: didJwk(jwk) + '#0', alg: job.alg }
    const { jwt } = await client.createCredentialRequestJwtProof({
      issuerMetadata: metadata, credentialConfigurationId: configuration, signer, nonce, issuedAt: new Date(),
      ...(job.client ? { clientId: job.client } : {}),
    })
    jwts.push(jwt)
  }
  return client.retrieveCredentials({
    issuerMetadata: metadata, credentialConfigurationId: configuration, accessToken: token,
    proofs: { jwt: jwts }, ...(dpop ? { dpop } : {}),
  })
}

async function run(job) {
  const client = new Openid4vciClient({ callbacks: callbacks(job.client) })
  const offer = await client.resolveCredentialOffer(job.offer)
  const metadata = await client.resolveIssuerMetadata(offer.credential_issuer)
  const dpop = job.dpop ? { signer: { method: 'jwk', publicJwk: await newKey('ES256'), alg: 'ES256' } } : undefined
  const granted = job.redirect
    ? await grantByCode(client, job, offer, metadata, dpop)
    : await client.retrievePreAuthorizedCodeAccessTokenFromOffer({
        credentialOffer: offer, issuerMetadata: metadata, ...(job.txCode ? { txCode: job.txCode } : {}),
        ...(dpop ? { dpop } : {}),
      })
  let token = granted.accessTokenResponse
  let proof = granted.dpop ?? dpop
  if (job.refresh) {
    const oauth = new Oauth2Client({ callbacks: callbacks(job.client) })
    const again = await oauth.retrieveRefreshTokenAccessToken({
      authorizationServerMetadata: metadata.authorizationServers[0], refreshToken: token.refresh_token,
      ...(proof ? { dpop: proof } : {}),
    })
    token = again.accessTokenResponse
    proof = again.dpop ?? proof
  }
  const result = { configurations: offer.credential_configuration_ids, tokenType: token.token_type, credentials: {} }
  for (const configuration of job.configurations) {
    let got = await copies(client, job, metadata, configuration, token.access_token, proof)
    proof = got.dpop ?? proof
    let response = got.credentialResponse
    if (response.transaction_id) {
      await write({ deferred: response.transaction_id })
      await read()
      got = await client.retrieveDeferredCredentials({
        issuerMetadata: metadata, accessToken: token.access_token, transactionId: response.transaction_id,
        ...(proof ? { dpop: proof } : {}),
      })
      proof = got.dpop ?? proof
      response = got.deferredCredentialResponse
    }
    result.credentials[configuration] = response.credentials.map((one) => one.credential)
    if (job.notify && response.notification_id) {
      await client.sendNotification({
        issuerMetadata: metadata, accessToken: token.access_token, ...(proof ? { dpop: proof } : {}),
        notification: { notificationId: response.notification_id, event: 'credential_accepted' },
      })
      result.notified = true
    }
  }
  return result
}

try {
  await write(await run(await read()))
  process.exit(0)
} catch (error) {
  await write({ error: String(error.message ?? error), detail: error.response ?? error.errorResponse ?? null, stack: String(error.stack).split('\n').slice(0, 4) })
  process.exit(1)
}
