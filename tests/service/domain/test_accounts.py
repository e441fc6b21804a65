from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from service.domain.threads import at_once
from tandem.accounts import access, idempotency
from tandem.accounts import service as accounts
from tandem.accounts.idempotency import KEPT_FOR, KeyReused
from tandem.accounts.models import IMPORTED, IdempotentRequest, SignIn, Token, User
from tandem.accounts.service import EmailTaken
from tandem.db.base import now
from tandem.db.session import Database
from tandem.errors import Invalid, NotFound, Unauthenticated
from tandem.ids import TokenId, UserId, new_id
from world import Person, World

both_engines = pytest.mark.both_engines

DAY = timedelta(days=1)


def add(database: Database, email: str, password: str | None = None) -> UserId:
    with database.write.begin() as session:
        return accounts.add_user(
            session, email=email, name="Ann", password=password, is_admin=False
        ).id


class TestAddresses:
    @pytest.mark.parametrize("again", ["ann@example.org", "ANN@Example.ORG", "  Ann@example.org "])
    def test_one_address_in_any_capitalisation_is_one_account(
        self, database: Database, again: str
    ) -> None:
        add(database, "Ann@Example.org")

        with pytest.raises(EmailTaken) as refused:
            add(database, again)
        assert refused.value.code == "email_taken"
        with database.read() as session:
            assert session.scalars(select(User.email)).all() == ["ann@example.org"]

    def test_nobody_takes_the_address_of_somebody_whom_a_file_names(
        self, database: Database
    ) -> None:
        with pytest.raises(Invalid, match="people in files"):
            add(database, f"0123{IMPORTED.upper()}", "four plain words")
        made = add(database, f"0123{IMPORTED}")
        with (
            database.write.begin() as session,
            pytest.raises(Invalid, match="Nobody can sign in"),
        ):
            accounts.set_password(accounts.get_user(session, made), "four plain words")

    @both_engines
    def test_of_many_who_take_one_address_at_once_one_gets_it(self, database: Database) -> None:
        def take() -> bool:
            try:
                add(database, "ann@example.org")
            except EmailTaken:
                return False
            return True

        assert sum(at_once([take] * 6)) == 1

    @pytest.mark.parametrize("text", ["", "ann", "ann@", "@example.org", "a b@c", "a@b@c"])
    def test_what_is_no_address_is_refused(self, database: Database, text: str) -> None:
        with pytest.raises(Invalid) as refused:
            add(database, text)
        assert refused.value.field == "email"


class TestSigningIn:
    def sign_in(self, database: Database, email: str, password: str, *, days: int = 1) -> str:
        with database.write.begin() as session:
            user = accounts.check_password(session, email=email, password=password)
            lasting = timedelta(days=days)
            return accounts.sign_in(session, user_id=user.id, lasting=lasting).secret

    def test_the_right_password_opens_a_session(self, database: Database) -> None:
        ann = add(database, "ann@example.org", "correct horse")
        secret = self.sign_in(database, "ANN@example.org", "correct horse")

        with database.read() as session:
            assert access.of_sign_in(session.connection(), secret).user.id == ann

    @pytest.mark.parametrize(
        ("email", "password"),
        [
            ("ann@example.org", "wrong"),
            ("ann@example.org", ""),
            ("ann@example.org", "Correct horse"),
            ("ben@example.org", "correct horse"),
        ],
    )
    def test_what_was_wrong_is_not_said(
        self, database: Database, email: str, password: str
    ) -> None:
        add(database, "ann@example.org", "correct horse")

        with pytest.raises(Unauthenticated, match="The e-mail address or the password is wrong"):
            self.sign_in(database, email, password)

    def test_who_has_no_password_cannot_sign_in(self, database: Database) -> None:
        add(database, "ann@example.org")

        with pytest.raises(Unauthenticated):
            self.sign_in(database, "ann@example.org", "")

    def test_a_new_password_replaces_the_old(self, database: Database) -> None:
        ann = add(database, "ann@example.org", "correct horse")
        open_already = self.sign_in(database, "ann@example.org", "correct horse")
        with database.write.begin() as session:
            accounts.set_password(session.get_one(User, ann), "battery staple")

        assert self.sign_in(database, "ann@example.org", "battery staple")
        with pytest.raises(Unauthenticated):
            self.sign_in(database, "ann@example.org", "correct horse")
        with database.read() as session:
            assert access.of_sign_in(session.connection(), open_already).user.id == ann

    def test_no_password_is_stored(self, database: Database) -> None:
        ann, ben = (add(database, f"{name}@example.org", "correct horse") for name in "ab")

        with database.read() as session:
            stored = [session.get_one(User, who).password_hash or "" for who in (ann, ben)]
        assert all("correct horse" not in text and text.startswith("$argon2") for text in stored)
        assert stored[0] != stored[1]

    def test_it_ends_by_itself_and_by_signing_out(self, database: Database) -> None:
        add(database, "ann@example.org", "correct horse")
        over = self.sign_in(database, "ann@example.org", "correct horse", days=-1)
        ended = self.sign_in(database, "ann@example.org", "correct horse")
        with database.write.begin() as session:
            accounts.sign_out(session, ended)

        with database.read() as session:
            for secret in (over, ended, "guessed"):
                with pytest.raises(Unauthenticated):
                    access.of_sign_in(session.connection(), secret)

    def test_sessions_that_ran_out_are_forgotten(self, database: Database) -> None:
        add(database, "ann@example.org", "correct horse")
        self.sign_in(database, "ann@example.org", "correct horse", days=-1)
        self.sign_in(database, "ann@example.org", "correct horse")

        with database.read() as session:
            assert session.scalar(select(func.count()).select_from(SignIn)) == 1


class TestTokens:
    def add(self, database: Database, person: Person, **said: timedelta) -> tuple[TokenId, str]:
        lasting = said.get("lasting")
        with database.write.begin() as session:
            token, secret = accounts.add_token(
                session,
                user_id=person.id,
                name="script",
                expires_at=None if lasting is None else now() + lasting,
            )
            return token.id, secret

    def user(self, database: Database, secret: str) -> UserId:
        with database.read() as session:
            return access.of_token(session.connection(), secret).user.id

    def test_it_stands_for_its_person(self, world: World, database: Database) -> None:
        ann, ben = world.person("ann"), world.person("ben")

        assert self.user(database, self.add(database, ann)[1]) == ann.id
        assert self.user(database, self.add(database, ben, lasting=DAY)[1]) == ben.id

    def test_after_its_time_it_does_not(self, world: World, database: Database) -> None:
        token, secret = self.add(database, world.person(), lasting=DAY)
        with database.write.begin() as session:
            session.get_one(Token, token).expires_at = now() - timedelta(seconds=1)

        with pytest.raises(Unauthenticated, match="expired"):
            self.user(database, secret)

    def test_an_unknown_one_is_refused(self, world: World, database: Database) -> None:
        _, secret = self.add(database, world.person())

        for guess in ("", secret[:-1], secret.upper(), "tandem_x"):
            with pytest.raises(Unauthenticated, match="not known"):
                self.user(database, guess)

    def test_its_secret_is_not_stored(self, world: World, database: Database) -> None:
        token_id, secret = self.add(database, world.person())

        with database.read() as session:
            assert secret not in session.get_one(Token, token_id).secret_hash

    def test_only_its_owner_takes_it_back(self, world: World, database: Database) -> None:
        ann, ben = world.person("ann"), world.person("ben")
        token_id, secret = self.add(database, ann)

        def remove(person: Person) -> None:
            with database.write.begin() as session:
                accounts.remove_token(session, user_id=person.id, token_id=token_id)

        with pytest.raises(NotFound):
            remove(ben)
        assert self.user(database, secret) == ann.id
        remove(ann)
        with pytest.raises(Unauthenticated):
            self.user(database, secret)


class TestIdempotency:
    """A write with a key is done once; everybody who sends it gets the first answer."""

    def write(
        self,
        database: Database,
        person: Person,
        key: str,
        work: Callable[[], int],
        *,
        fingerprint: str = "PUT /it",
    ) -> tuple[int, dict[str, int]]:
        """Do as a route does: claim, work, remember, in one transaction."""
        with database.write.begin() as session:
            first = idempotency.claim(session, user_id=person.id, key=key, fingerprint=fingerprint)
            if first is not None:
                assert first[1]
                return first[0], first[1]
            body = {"made": work()}
            idempotency.remember(session, user_id=person.id, key=key, status=201, body=body)
            return 201, body

    @both_engines
    def test_the_second_time_the_first_answer_is_given(
        self, world: World, database: Database
    ) -> None:
        ann, done = world.person(), iter(range(9))

        answers = [self.write(database, ann, "k", lambda: next(done)) for _ in range(3)]

        assert answers == [(201, {"made": 0})] * 3
        assert next(done) == 1

    @both_engines
    def test_sent_by_many_threads_it_is_done_once(self, world: World, database: Database) -> None:
        ann, done = world.person(), list[int]()

        def work() -> int:
            done.append(1)
            return len(done)

        answers = at_once([lambda: self.write(database, ann, "k", work)] * 6)

        assert answers == [(201, {"made": 1})] * 6
        assert done == [1]

    @both_engines
    def test_what_failed_may_be_sent_again(self, world: World, database: Database) -> None:
        ann = world.person()

        with pytest.raises(ZeroDivisionError):
            self.write(database, ann, "k", lambda: 1 // 0)
        assert self.write(database, ann, "k", lambda: 7) == (201, {"made": 7})

    @both_engines
    def test_where_the_first_of_two_at_once_fails_the_other_is_done(
        self, world: World, database: Database
    ) -> None:
        ann, turns = world.person(), iter([True, False])

        def send() -> tuple[int, dict[str, int]] | None:
            try:
                return self.write(database, ann, "k", lambda: 1 // 0 if next(turns) else 7)
            except ZeroDivisionError:
                return None

        answers = at_once([send, send])

        assert sorted(answers, key=bool) == [None, (201, {"made": 7})]

    def test_the_key_of_another_request_is_refused(self, world: World, database: Database) -> None:
        ann = world.person()
        self.write(database, ann, "k", lambda: 1)

        with pytest.raises(KeyReused) as refused:
            self.write(database, ann, "k", lambda: 2, fingerprint="PUT /other")
        assert refused.value.code == "idempotency_key_reused"

    def test_keys_belong_to_their_senders(self, world: World, database: Database) -> None:
        ann, ben = world.person("ann"), world.person("ben")

        assert self.write(database, ann, "k", lambda: 1) == (201, {"made": 1})
        assert self.write(database, ben, "k", lambda: 2) == (201, {"made": 2})

    def test_old_ones_are_forgotten(self, world: World, database: Database) -> None:
        ann = world.person()
        for key in ("old", "new"):
            self.write(database, ann, key, lambda: 1)
        with database.write.begin() as session:
            session.get_one(IdempotentRequest, (ann.id, "old")).created_at = now() - KEPT_FOR - DAY
        with database.write.begin() as session:
            idempotency.forget_old(session)

        assert self.write(database, ann, "new", lambda: 2) == (201, {"made": 1})
        assert self.write(database, ann, "old", lambda: 2) == (201, {"made": 2})


def test_an_unknown_person_is_not_found(database: Database) -> None:
    with database.read() as session, pytest.raises(NotFound):
        accounts.get_user(session, UserId(new_id()))
