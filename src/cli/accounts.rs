//! The commands that let people and systems in: `users create`, `keys create`, `keys revoke`.
//!
//! Promises: a key is printed once and kept as a digest; a password comes from a file or standard input.
//! Never: takes a password as a flag, where every process could read it; asks at a prompt.

use crate::domain::ids::ParticipantCode;
use crate::gateway::ports::accounts::{StoredKey, User, UserRole};
use crate::gateway::ports::{Accounts, StoreError};
use crate::web::secrets::{Token, WebhookSecret, hash_password};
use crate::web::{PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN};
use anyhow::{Context, bail, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use clap::{Args, Subcommand, ValueEnum};
use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal, Write, stdin};
use std::path::{Path, PathBuf};

/// `mezhved users …`
#[derive(Debug, Subcommand)]
pub enum UsersCommand {
    /// Завести человека; пароль — первой строкой стандартного ввода или файла.
    Create(NewUser),
}

/// A person to be let in.
#[derive(Debug, Args)]
pub struct NewUser {
    /// Имя для входа: латиница, цифры, точка, дефис.
    login: String,
    /// Как показывать: «И. О. Фамилия».
    #[arg(long)]
    name: String,
    #[arg(long, value_enum)]
    role: Role,
    /// Файл с паролем; без него пароль читается из стандартного ввода.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

/// What the person may do.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Role {
    /// Ведёт контроль ответов.
    Coordinator,
    /// Только смотрит.
    Observer,
    /// Отвечает за работу шлюза.
    Administrator,
    /// Регистрирует бумагу, почту и телефонограммы; решений не принимает.
    Clerk,
}

/// `mezhved keys …`
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Выдать участнику ключ; он печатается один раз.
    Create {
        participant: String,
        /// Через сколько дней ключ перестанет действовать; иначе он действует, пока его не отзовут.
        #[arg(long)]
        days: Option<u32>,
    },
    /// Выдать секрет, которым подписываются сообщения участнику по HTTPS (Standard Webhooks); прежние ещё действуют.
    Webhook { participant: String },
    /// Отозвать все ключи участника.
    Revoke { participant: String },
}

impl From<Role> for UserRole {
    fn from(role: Role) -> Self {
        match role {
            Role::Coordinator => Self::Coordinator,
            Role::Observer => Self::Observer,
            Role::Administrator => Self::Administrator,
            Role::Clerk => Self::Clerk,
        }
    }
}

/// Runs `mezhved users …`.
///
/// # Errors
/// The login or the password is not fit, the login exists, or the store is not available.
pub async fn users(command: UsersCommand, store: &dyn Accounts, now: DateTime<Utc>) -> anyhow::Result<()> {
    let UsersCommand::Create(new) = command;
    check_login(&new.login)?;
    ensure!(!new.name.trim().is_empty(), "--name is empty: give the name as the board shows it");
    let password = hash_password(&password(new.password_file.as_deref())?)?;
    let user = User {
        login: new.login.clone(),
        name: new.name.trim().to_owned(),
        role: new.role.into(),
        password,
        created_at: now,
    };
    match store.add_user(user).await {
        Err(StoreError::Rejected(_)) => bail!("the login `{}` exists already; choose another", new.login),
        other => Ok(other?),
    }
}

/// Runs `mezhved keys …`; what is created goes to `out`.
///
/// # Errors
/// The participant is not known, or the store is not available.
pub async fn keys(
    command: KeysCommand,
    store: &dyn Accounts,
    (now, out): (DateTime<Utc>, &mut (dyn Write + Send)),
) -> anyhow::Result<()> {
    match command {
        KeysCommand::Create { participant, days } => {
            let token = Token::random()?;
            let key = StoredKey {
                sha256: token.sha256(),
                participant: code(&participant)?,
                created_at: now,
                expires_at: days.map(|days| now + TimeDelta::days(i64::from(days))),
            };
            match store.add_key(key).await {
                Err(StoreError::Rejected(_)) => {
                    bail!("participant `{participant}` is not known; import it first: mezhved participants import FILE")
                }
                other => other?,
            }
            writeln!(out, "{}", token.as_key())?;
        }
        KeysCommand::Webhook { participant } => {
            let secret = WebhookSecret::random()?;
            match store.add_webhook_secret(&code(&participant)?, secret.bytes().to_vec(), now).await {
                Err(StoreError::Rejected(_)) => bail!("participant `{participant}` is not known; import it first"),
                other => other?,
            }
            writeln!(out, "{}", secret.reveal())?;
        }
        KeysCommand::Revoke { participant } => {
            let revoked = store.revoke_keys(&code(&participant)?, now).await?;
            writeln!(out, "{revoked}")?;
        }
    }
    Ok(())
}

fn code(participant: &str) -> anyhow::Result<ParticipantCode> {
    ParticipantCode::new(participant).with_context(|| format!("participant `{participant}`"))
}

/// A login is typed by hand and shown in chronologies: short, and of one alphabet.
fn check_login(login: &str) -> anyhow::Result<()> {
    let is_plain = ParticipantCode::new(login).is_ok();
    ensure!(is_plain, "login `{login}`: 1 to 64 of a-z, 0-9, '-', '.', '_', beginning with a letter or digit");
    Ok(())
}

/// The first line of the file, or of what is piped in.
fn password(file: Option<&Path>) -> anyhow::Result<String> {
    match file {
        Some(path) => {
            let file = File::open(path).with_context(|| format!("--password-file {}", path.display()))?;
            first_line(BufReader::new(file))
        }
        None if stdin().is_terminal() => bail!("give the password by --password-file FILE, or pipe it in"),
        None => first_line(stdin().lock()),
    }
}

fn first_line(from: impl BufRead) -> anyhow::Result<String> {
    let mut line = String::new();
    from.take(PASSWORD_BYTES_MAX as u64 + 2).read_line(&mut line).context("the password must be UTF-8")?;
    let password = line.trim_end_matches(['\r', '\n']);
    let length = password.chars().count();
    ensure!(length >= PASSWORD_CHARS_MIN, "the password has {length} characters; {PASSWORD_CHARS_MIN} at least");
    ensure!(password.len() <= PASSWORD_BYTES_MAX, "the password has more than {PASSWORD_BYTES_MAX} bytes");
    Ok(password.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail loudly")]
    use super::*;

    #[test]
    fn password_is_the_first_line_and_long_enough() {
        assert_eq!(first_line("правильный пароль\r\nещё".as_bytes()).unwrap(), "правильный пароль");
        assert!(first_line("короткий\n".as_bytes()).is_err());
        assert!(first_line("д".repeat(2000).as_bytes()).is_err());
    }

    #[test]
    fn login_is_plain() {
        assert!(check_login("anna.ivanova").is_ok());
        assert!(check_login("Анна").is_err());
        assert!(check_login("").is_err());
    }
}
