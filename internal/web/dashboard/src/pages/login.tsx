import { Alert, Button, Center, Code, Paper, PasswordInput, Stack, Text, Title } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { Problem, request } from "../api/http";

/** Login exchanges hypersdkd's token for a cookie that scripts cannot read. The token is not kept. */
export function Login({ onDone }: { onDone(): void }) {
  const [token, setToken] = useState("");
  const [problem, setProblem] = useState<Problem>();
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    try {
      await request("POST", "/auth/login", { token: token.trim() });
      onDone();
    } catch (error) {
      setProblem(error instanceof Problem ? error : new Problem(0, String(error)));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Center mih="100dvh" p="md">
      <Paper withBorder p="xl" w="100%" maw={420} component="main">
        <form onSubmit={submit}>
          <Stack>
            <Title order={1} size="h3">
              hypersdk
            </Title>
            <Text size="sm" c="dimmed">
              Sign in with a token of this daemon. Its log says at the start which file has the first one: <Code>token</Code> in its state directory.
            </Text>
            <PasswordInput label="Token" value={token} onChange={(e) => setToken(e.currentTarget.value)} autoComplete="current-password" required data-autofocus />
            {problem && (
              <Alert color="red" role="alert" title={problem.message}>
                {problem.hint}
              </Alert>
            )}
            <Button type="submit" loading={busy} disabled={token.trim() === ""}>
              Sign in
            </Button>
          </Stack>
        </form>
      </Paper>
    </Center>
  );
}
