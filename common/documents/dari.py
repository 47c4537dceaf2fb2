"""Dari: the words of documents as hotels and tax offices of Afghanistan write them.

Not the Persian of Iran: a bill is بل, tax is مالیه, foreign currency is اسعار, and the months of
the solar year have the names of the zodiac.
"""

from common.documents.vocabulary import (
    AccountStatementWords,
    AgedReceivablesWords,
    StatementWords,
    VerificationWords,
)
from common.documents.vocabulary import Words as Vocabulary

SOLAR_MONTHS = (
    *("حمل", "ثور", "جوزا", "سرطان", "اسد", "سنبله"),
    *("میزان", "عقرب", "قوس", "جدی", "دلو", "حوت"),
)

WORDS = Vocabulary(
    direction="rtl",
    invoice="بل",
    credit_note="یادداشت اعتباری",
    corrects_invoice="اصلاح بل",
    invoice_issued="تاریخ بل",
    total_credited="مجموع برگشتی",
    verify_credit_note="آیا این یادداشت اعتباری اصلی است؟",
    copy_mark="کاپی",
    tax_id="نمبر تشخیصیه",
    bill_to="صورت‌حساب به نام",
    personal_data_erased="معلومات شخصی پاک شده است",
    number="نمبر بل",
    issue_date="تاریخ صدور",
    issued_at="صادر شده {}",
    stay="مدت اقامت",
    folio="حساب مهمان",
    reservation="ریزرف",
    currency="واحد پول",
    date="تاریخ",
    description="تفصیلات",
    quantity="تعداد",
    unit_price="قیمت فی واحد",
    net="خالص",
    tax="مالیه",
    gross="با مالیه",
    taxes="تفکیک مالیات",
    tax_rate="نرخ",
    taxable="مبلغ مشمول",
    tax_amount="مالیه",
    total_net="مبلغ خالص",
    total_tax="مالیه",
    rounding="گرد کردن",
    total="مجموع",
    paid="پرداخت‌شده",
    balance_due="باقی‌مانده",
    payments="پرداخت‌ها",
    method="طریقه پرداخت",
    tendered="پول پرداختی",
    amount="مبلغ",
    no_payments="هیچ پرداختی دریافت نشده است.",
    exchange_rates="نرخ تبادله اسعار",
    exchange_difference="تفاوت تبادله: {}",
    tax_in_currency="مالیه به {}",
    verify="آیا این بل اصلی است؟",
    verify_detail="کود را سکن کنید یا آدرس را باز نمایید تا آن را نزد صادرکننده بررسی کنید.",
    fingerprint="SHA-256 محتوا",
    page="صفحه",
    page_of="از",
    issuer="صادرکننده",
    methods={
        "cash": "نقد",
        "card": "کارت بانکی",
        "bank_transfer": "حواله بانکی",
        "mobile_money": "پول موبایل",
        "voucher": "کوپون",
        "city_ledger": "حساب شرکت (نسیه)",
        "credits": "اعتبار پیش‌پرداخت",
        "deposit_transfer": "پیش‌پرداخت انتقال‌شده",
    },
    verification=VerificationWords(
        title="بررسی سند",
        genuine="این سند اصلی است",
        genuine_detail="صادرکننده آن را نوشته است و از آن پس هیچ چیزی در آن تغییر نکرده است.",
        pending="این سند از صادرکننده است و در حال امضا شدن است",
        pending_detail="هیچ چیزی در آن تغییر نکرده است. امضای آن تا چند لحظه دیگر می‌رسد؛ آنگاه "
        "دوباره ببینید.",
        corrected="این سند اصلی است، اما دیگر اعتبار ندارد",
        corrected_detail="صادرکننده آن را نوشته و پس از آن مبلغ آن را برگشت داده یا آن را باطل "
        "کرده است. از صادرکننده بپرسید که اکنون کدام سند معتبر است.",
        changed="این سند مطابقت ندارد",
        changed_detail="آنچه در دست دارید با آنچه صادرکننده نوشته است فرق دارد، یا امضای آن "
        "تأیید نمی‌شود. به آن اعتماد نکنید و از صادرکننده یک کاپی نو بخواهید.",
        unknown="این سند شناخته نشد",
        unknown_detail="برای این آدرس هیچ سندی پیدا نشد. شاید آدرس ناقص یا ساختگی باشد.",
        signature="امضا",
        status="وضعیت",
        signatures={
            "pending": "هنوز نیامده است",
            "valid": "معتبر",
            "unknown_key": "با کلید ناشناخته امضا شده",
            "broken": "نامعتبر",
        },
        statuses={"issued": "صادر شده", "credited": "برگشت داده شده", "voided": "باطل شده"},
    ),
)

STATEMENT = StatementWords(
    title="صورت‌حساب",
    not_an_invoice="این صورت‌حساب شماست و بل نیست. بر اساس آن مالیه وضع شده نمی‌تواند؛ بل هنگام "
    "بستن حساب صادر می‌شود.",
    guest="مهمان",
    as_of="تا تاریخ",
    charges_and_payments="خدمات و پرداخت‌ها",
    nothing_posted="هنوز چیزی ثبت نشده است.",
    refunded="بازپرداخت‌شده",
    moved="انتقال به حساب‌های دیگر",
    balance="بیلانس",
    pending="{}، در راه است",
    lines={
        "void": "باطل شده: {}",
        "payment": "پرداخت: {}",
        "refund": "بازپرداخت: {}",
        "refund_reversal": "بازپرداخت ناکام، پس گرفته شد: {}",
        "rounding": "گرد کردن",
    },
)

ACCOUNT_STATEMENT = AccountStatementWords(
    title="صورت‌حساب شرکت",
    not_an_invoice="این صورت‌حساب شماست و بل نیست. بر اساس آن مالیه وضع شده نمی‌تواند؛ بر اساس "
    "بل‌هایی که در آن نام برده شده، می‌شود.",
    company="شرکت",
    account="حساب",
    period="دوره",
    opening="بیلانس آغاز دوره",
    movements="بل‌ها و پرداخت‌ها",
    nothing_moved="در این حساب هیچ معامله‌ای صورت نگرفته است.",
    closing="بیلانس ختم دوره",
    balance="بیلانس",
    open_invoices="بل‌های پرداخت‌نشده",
    nothing_open="هیچ بل پرداخت‌نشده وجود ندارد.",
    due_on="سررسید",
    days_overdue="روزهای تأخیر",
    open="باقی‌مانده",
    entries={
        "settlement": "اقامت",
        "refund": "پس گرفته‌شده",
        "payment": "پرداخت",
        "write_off": "حذف‌شده از حساب",
        "credit_note": "یادداشت اعتباری",
    },
    buckets={
        "notDue": "سررسید نشده",
        "days1To30": "۱–۳۰ روز",
        "days31To60": "۳۱–۶۰ روز",
        "days61To90": "۶۱–۹۰ روز",
        "over90": "بیشتر از ۹۰ روز",
    },
)
AGED_RECEIVABLES = AgedReceivablesWords(
    title="طلبات به ترتیب مدت",
    not_an_invoice="این گزارش هوتل است و بل نیست.",
    house="هوتل",
    as_of="تا تاریخ",
    not_invoiced="بل نشده",
    to_their_credit="طلب شرکت",
    total="مجموع",
    nothing_owed="هیچ شرکتی قرضدار نیست.",
)
