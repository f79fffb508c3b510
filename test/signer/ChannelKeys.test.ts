import { expect, test } from "bun:test"
import { channelKeypair } from "../../layers/signer/ChannelKeys.ts"

/** SEP-5, "Test 1": the BIP-39 seed of its mnemonic, and the accounts it lists for m/44'/148'/0' to 2'. */
const seed = new Uint8Array(
  Buffer.from(
    "e4a5a632e70943ae7f07659df1332160937fad82587216a4c64315a0fb39497ee4a01f76ddab4cba68147977f3a147b6ad584c41808e8238a07f6cc4b582f186",
    "hex",
  ),
)

test("derives the accounts of SEP-5's first test vector", () => {
  expect(channelKeypair(seed, 0).publicKey()).toBe("GDRXE2BQUC3AZNPVFSCEZ76NJ3WWL25FYFK6RGZGIEKWE4SOOHSUJUJ6")
  expect(channelKeypair(seed, 1).publicKey()).toBe("GBAW5XGWORWVFE2XTJYDTLDHXTY2Q2MO73HYCGB3XMFMQ562Q2W2GJQX")
  expect(channelKeypair(seed, 2).publicKey()).toBe("GAY5PRAHJ2HIYBYCLZXTHID6SPVELOOYH2LBPH3LD4RUMXUW3DOYTLXW")
})
