"""What a process does by a key: know callers and trials again, sign quotes, sign documents."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

from common.domain.dataclass import dataclass
from common.runtime.settings import SettingMissing
from common.wiring.measuring import Measuring

if TYPE_CHECKING:
    from common.ports.powers import Keys
    from common.runtime.origins import Origins
    from common.runtime.quote_tokens import QuoteTokens
    from common.runtime.trial_marks import KeyedMarks


@dataclass(frozen=True)
class Keyed(Measuring):
    """The part of a process that holds keys, or knows who does. On a laptop they are files."""

    def _folder(self, name: str) -> Any:
        from pathlib import Path

        return Path(self.settings.local_folder) / name

    @cached_property
    def origins(self) -> "Origins":
        from common.runtime.origins import Origins

        if self.settings.origin_keys:
            return Origins(self.settings.origin_keys)
        if self.settings.stack != "local":
            raise SettingMissing("BILLING_ORIGIN_KEYS")
        from common.local.origin_key import origin_key

        return Origins((origin_key(self._folder("processor")),))

    @cached_property
    def trial_marks(self) -> "KeyedMarks":
        from common.runtime.trial_marks import KeyedMarks

        if self.settings.trial_keys:
            return KeyedMarks(self.settings.trial_keys)
        if self.settings.stack != "local":
            raise SettingMissing("BILLING_TRIAL_KEYS")
        from common.local.origin_key import trial_key

        return KeyedMarks((trial_key(self._folder("processor")),))

    @cached_property
    def quotes(self) -> "QuoteTokens":
        from common.runtime.quote_tokens import QuoteTokens

        if self.settings.quote_keys:
            return QuoteTokens(self.settings.quote_keys)
        if self.settings.stack != "local":
            raise SettingMissing("BILLING_QUOTE_KEYS")
        from common.local.origin_key import quote_key

        return QuoteTokens((quote_key(self._folder("processor")),))

    @cached_property
    def keys(self) -> "Keys":
        if self.settings.stack == "local":
            from common.local.keys import KeyFiles

            return KeyFiles(self._folder("keys"))
        from common.google.keys import CloudKeys

        return CloudKeys(self.settings.signing_keyring)

    @cached_property
    def platform_keys(self) -> "Keys":
        if self.settings.stack == "local":
            from common.local.keys import KeyFiles

            return KeyFiles(self._folder("platform-keys"))
        from common.google.keys import CloudKeys

        return CloudKeys(self.settings.platform_keyring)
