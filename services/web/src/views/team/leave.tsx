import { useMutation } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { useLocation } from "wouter-preact";
import { api, data } from "../../api/client";
import { queries, type Review } from "../../api/queries";
import { Confirm } from "../../ui/confirm";
import { usePerson } from "../../ui/context";
import { Button } from "../../ui/parts";
import { teamTexts as say } from "./texts";

/** The way out of a review for who does not own it; their decisions stay. */
export function Leave({ review }: { review: Review }) {
  const { me } = usePerson();
  const [, go] = useLocation();
  const [isAsking, ask] = useState(false);
  const leave = useMutation({
    mutationFn: () =>
      data(
        api.DELETE("/api/v1/reviews/{review_id}/members/{user_id}", {
          params: { path: { review_id: review.id, user_id: me.id } },
        }),
      ),
    onSuccess: () => {
      go("/");
      void queries.invalidateQueries({ queryKey: ["reviews"] });
    },
  });
  return (
    <>
      <Button onClick={() => ask(true)}>{say.leave}</Button>
      {isAsking && (
        <Confirm
          title={say.leaveTitle}
          effects={say.leaveEffects}
          does={say.leave}
          isDanger
          work={{ ...leave, mutate: () => leave.mutate() }}
          close={() => ask(false)}
        />
      )}
    </>
  );
}
